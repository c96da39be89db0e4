import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * Asks the gateway for the links with which a customer can have news of an order in
 * a messenger. It is called by the shop's own server with the shop's key, for the
 * customer of the session and an order that is theirs: never with an order code
 * that came from the browser alone.
 */
public class OrderNewsClient {

  private final URI endpoint;
  private final String key;
  private final HttpClient http =
      HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).followRedirects(HttpClient.Redirect.NEVER).build();

  /**
   * @param gateway the internal side of the gateway, such as http://tidings:9090
   * @param key an API key of the scope optins
   */
  public OrderNewsClient(String gateway, String key) {
    this.endpoint = URI.create(gateway + "/v1/opt-ins");
    this.key = key;
  }

  /**
   * @param customerUid of the session's customer; a guest's is "guid|mail"
   * @return the answer as JSON, or null: then the page is shown without the section
   */
  public String offer(String site, String customerUid, String orderCode, String language, String consent, String version) {
    String body =
        "{\"site\":" + json(site) + ",\"customerUid\":" + json(customerUid) + ",\"orderCode\":" + json(orderCode)
            + ",\"locale\":" + json(language) + ",\"purpose\":\"order_updates\",\"consent\":{\"text\":" + json(consent)
            + ",\"version\":" + json(version) + "}}";
    HttpRequest request =
        HttpRequest.newBuilder(endpoint).timeout(Duration.ofSeconds(3)).header("Content-Type", "application/json")
            .header("Authorization", "Bearer " + key)
            .POST(HttpRequest.BodyPublishers.ofString(body, StandardCharsets.UTF_8)).build();
    try {
      HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
      return answer.statusCode() == 201 ? answer.body() : null;
    } catch (IOException e) {
      return null; // the order is placed all the same
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    }
  }

  /** Writes a text as JSON; a missing one as null. */
  static String json(String text) {
    if (text == null) {
      return "null";
    }
    StringBuilder out = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c < ' ') {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    return out.append('"').toString();
  }
}
