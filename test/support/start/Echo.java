import java.io.BufferedReader;
import java.io.InputStreamReader;

public class Echo {
  public static void main(String[] args) throws Exception {
    System.out.println("ready");
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = input.readLine()) != null; ) System.out.println(line);
  }
}
